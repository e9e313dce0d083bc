"""What runs the service: experiments, API keys, deployments, the audit log."""
