"""Runs trials: takes them under a lease, drives them in slots, tells the store how they ended."""
