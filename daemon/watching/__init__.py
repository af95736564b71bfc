"""What lies in the inbox and is complete: events are hints, the scan is the truth."""
