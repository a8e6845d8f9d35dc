require "copy";
redirect :copy "mia@home.example";
