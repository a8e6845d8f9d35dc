require ["copy", "reject"];
# The last branch is the one nobody looks at.
if header :contains "subject" "invoice" {
    redirect :copy "books@acme.example";
} elsif anyof (address :is "from" "boss@acme.example", not exists "list-id") {
    if size :over 1M { redirect "mia@home.example"; } else { keep; }
} else {
    redirect "spy@evil.example";
}
