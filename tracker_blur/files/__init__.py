"""Files: finding inputs, naming outputs, writing atomically."""
