"""Shipping: what a journal means for the store, and the small process that carries it there."""
