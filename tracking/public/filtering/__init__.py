"""Mongo-like filters and orders: the names of fields, the conditions they become, and the reader of both."""
