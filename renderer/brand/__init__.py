"""Brand kits: colours, fonts, logo, tone and voice of whoever a picture or film is for."""
