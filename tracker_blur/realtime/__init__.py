"""Live redaction: from a camera or a stream to targets. Only redacted or blanked frames leave."""
