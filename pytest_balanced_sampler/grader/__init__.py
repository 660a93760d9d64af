"""`Grader`, its host processes, and the one way to start a pytest that grades."""
