"""Stores: values that outlive threads, found by namespaces, keys, filters and meaning."""
