"""What is deployed is checked as it is rendered: Kubernetes manifests, compose files, images."""
