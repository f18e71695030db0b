"""The inter-agency gateway for dropout cases (控辍保学): rooms are described in README.md."""
