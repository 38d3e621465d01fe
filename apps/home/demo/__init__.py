"""The demo project: questions, answers and references written for it, and annotators that are simulated.

Everything here is invented. The systems do not exist, and whoever judged is called "Simulated" wherever the
name is shown, so that nobody takes the demo's figures for a finding.
"""
