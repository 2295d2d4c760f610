"""faqbot answers employees' questions in DingTalk groups in HR's own words."""

__version__ = "0.1.0"
