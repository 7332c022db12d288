"""What a caller and a worker both speak: messages, encoded values, served graphs, Redis clients."""
