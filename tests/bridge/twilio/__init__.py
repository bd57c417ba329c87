"""The Twilio bridge."""
