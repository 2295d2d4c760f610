"""A stand-in for DingTalk that people and tests talk to. Imports nothing from the rest of faqbot.

It answers the calls the bot makes and behaves as the platform notes say; what nobody could verify is a switch.
"""
