"""Which Redis a URL means, and how it is connected to: one server, Sentinels, or a Cluster."""
