"""Pre-signed addresses by AWS Signature Version 4, in the query: the load sends bytes that it does not hash."""

import datetime
import hashlib
import hmac
import urllib.parse


class Presigner:
    """Signs for one day, store and key."""

    def __init__(self, endpoint, region, key, secret):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.moment[:8]}/{region}/s3/aws4_request"
        self.key, self.signing = key, f"AWS4{secret}".encode()
        for part in self.scope.split("/"):
            self.signing = _hmac(self.signing, part)

    def path(self, method, bucket, key):
        """The path and query of a request that may be sent within the hour."""
        path = "/" + urllib.parse.quote(f"{bucket}/{key}")
        query = urllib.parse.urlencode(sorted({
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{self.key}/{self.scope}", "X-Amz-Date": self.moment,
            "X-Amz-Expires": "3600", "X-Amz-SignedHeaders": "host"}.items()), quote_via=urllib.parse.quote, safe="")
        canonical = f"{method}\n{path}\n{query}\nhost:{self.host}\n\nhost\nUNSIGNED-PAYLOAD"
        text = f"AWS4-HMAC-SHA256\n{self.moment}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        return f"{path}?{query}&X-Amz-Signature={_hmac(self.signing, text).hex()}"


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
