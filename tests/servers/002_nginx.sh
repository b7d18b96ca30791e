#!/bin/sh
# Document 002: nginx in front of an event stream, set well and set badly.
#   sh 002_nginx.sh [PORT] [BACKEND] [HTTPS_PORT]     (8090, 127.0.0.1:8083, 8091)
# Paths, each passed on to the backend without the prefix:
#   /off/      proxy_buffering off: every event arrives at once
#   /on/       nginx's defaults (proxy_buffering on, HTTP/1.0 to the backend):
#              events arrive in lumps, when a buffer is full or when the backend
#              closes. (With HTTP/1.1 and a chunked backend nginx passes each
#              chunk on even so.)
#   /timeout/  like /off/, but the proxy gives up after READ_TIMEOUT (2s) of
#              silence: the stream breaks without its end
#   /gzip/     compressed for a client that accepts gzip
#   /gone/     a backend that is not there: 502 with an HTML page
#   /moved/    307 to /off/
# The same on https (and HTTP/2) at HTTPS_PORT, with a self-signed certificate for
# localhost and 127.0.0.1; its path is printed.
# With /on/ and a backend that answers "X-Accel-Buffering: no" nothing is held.
# Runs in the foreground; its files lie in a temporary folder that goes with it.
set -eu
port=${1:-8090} backend=${2:-127.0.0.1:8083} https=${3:-8091}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'kill "$pid" 2>/dev/null || :' INT TERM HUP
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$dir/key.pem" -out "$dir/cert.pem" \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2> /dev/null
cat > "$dir/nginx.conf" <<CONF
daemon off;
pid $dir/pid;
error_log $dir/error.log;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path $dir/body; proxy_temp_path $dir/proxy;
  fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {
    listen 127.0.0.1:$port;
    listen 127.0.0.1:$https ssl http2;
    ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem;
    location /off/     { proxy_buffering off; proxy_read_timeout 1h; proxy_pass http://$backend/; }
    location /on/      { proxy_buffering on;  proxy_http_version 1.0; proxy_set_header Connection close;
                         proxy_read_timeout 1h; proxy_pass http://$backend/; }
    location /timeout/ { proxy_buffering off; proxy_read_timeout ${READ_TIMEOUT:-2s}; proxy_pass http://$backend/; }
    location /gzip/    { proxy_buffering off; proxy_read_timeout 1h; proxy_pass http://$backend/;
                         gzip on; gzip_types text/event-stream; gzip_min_length 0; gzip_proxied any; }
    location /gone/    { proxy_pass http://127.0.0.1:1/; }
    location /moved/   { rewrite ^/moved/(.*) /off/\$1; return 307 \$uri\$is_args\$args; }
  }
}
CONF
chmod 755 "$dir"
nginx -e "$dir/error.log" -p "$dir" -c "$dir/nginx.conf" &
pid=$!
echo "nginx: http://127.0.0.1:$port/{off,on,timeout,gzip,gone,moved}/ -> $backend; https on $https, certificate $dir/cert.pem"
wait "$pid" || wait "$pid" || :
