"""Meta's Graph API: campaigns, ad sets (our ad groups) and ads of one ad account."""
