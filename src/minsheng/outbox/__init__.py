"""What leaves the house: messages to citizens, notices to units, webhooks to other systems; each once by key, retried, logged."""
