"""Every write of the app: judges, runs, and the shards that workers claim."""
