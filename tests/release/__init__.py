"""What must hold before a version is tagged; what each released version said is kept beside it."""
