"""What an agent owes the store while trials run: heartbeats, taking trials, taking back lost ones."""
