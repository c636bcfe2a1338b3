"""Loggers and callbacks for the libraries that people train with, one small file each."""
