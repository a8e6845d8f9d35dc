require ["ihave", "copy"];
if not ihave "copy" { error "no copies here"; }
redirect :copy "mia@home.example";
