




var root = new System.CommandLine.RootCommand("x");
return root.Parse(args).Invoke();
