require ["reject", "enotify", "variables"];
if header :is "x" "1" { reject "no"; }
if valid_notify_method "mailto:x@y.example" { keep; }
if notify_method_capability "mailto:x@y.example" "Online" "yes" { keep; }
