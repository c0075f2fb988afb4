using Ccp.Crash.Kills;
using Ccp.Crash.Soak;

// "kills" and "soak" are for people and take their time; anything else is for the test runner.
return args switch
{
    ["kills", .. var rest] => await KillCommand.RunAsync(rest),
    ["soak", .. var rest] => await SoakCommand.RunAsync(rest),
    _ => await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, Ccp.Crash.SelfRegisteredExtensions.AddSelfRegisteredExtensions),
};
