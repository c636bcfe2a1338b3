"""Alerts: raised by a record in the journal, sent by the companion or the agent, never by the training process."""
