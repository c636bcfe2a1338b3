"""What is known of a run that existed before: by its journals here, else by the store."""
