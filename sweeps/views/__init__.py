"""What people look at: tables, the live view, summaries, and JSON forms."""
