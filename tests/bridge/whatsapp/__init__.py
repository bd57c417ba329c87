"""The WhatsApp bridge."""
