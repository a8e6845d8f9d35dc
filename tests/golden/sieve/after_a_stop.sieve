if header :is "x-spam" "yes" { discard; stop; }
redirect "mia@home.example";
