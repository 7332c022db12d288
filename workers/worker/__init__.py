"""What a worker does: jobs, leases, back-offs, looking after what is overdue."""
