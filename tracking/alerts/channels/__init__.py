"""The ways by which an alert reaches people: one small file each behind one contract."""
