redirect "Mia <Mia@Home.Example>";
redirect "\"a\\\"b\"@evil.example";
redirect "a?b@evil.example";
