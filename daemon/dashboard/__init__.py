"""The dashboard: pages for people, beside the API and made of the same parts.

page_routes    the one table of pages; `furnish` puts it on the API's server
page_route     one row of it: who may, forms and their tokens, errors as pages
drawing        templates and the headers of every page
forms          what a form of ours sent
session_pages  log in, log out, register, and who am I
"""

from daemon.dashboard.page_routes import furnish

__all__ = ["furnish"]
