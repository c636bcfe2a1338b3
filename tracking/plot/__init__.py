"""Charts made from tables of values, as W&B names them."""

from tracking.plot.chart import CustomChart, plot_table
from tracking.plot.confusion import confusion_matrix
from tracking.plot.curves import pr_curve, roc_curve
from tracking.plot.series import line_series
from tracking.plot.simple import bar, histogram, line, scatter

__all__ = [
    "CustomChart",
    "bar",
    "confusion_matrix",
    "histogram",
    "line",
    "line_series",
    "plot_table",
    "pr_curve",
    "roc_curve",
    "scatter",
]
