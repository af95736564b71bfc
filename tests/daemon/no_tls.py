"""For clients of servers on this machine, which speak plain HTTP.

Each client would read the certificates of the whole world anew, which takes 40 ms.
"""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
