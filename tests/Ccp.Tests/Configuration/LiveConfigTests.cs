using Ccp.Configuration;
using Ccp.Tests.Licenses;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Configuration;

public sealed class LiveConfigTests : IDisposable
{
    private const string House = "[[lane]]\nname = 'house'\nbase_url = 'https://house.invalid'\nkey = 'env:HOUSE_KEY'\n";

    private static readonly Dictionary<string, string> Environment = new() { ["HOUSE_KEY"] = "key" };

    private readonly TempFolder _folder = new();
    private readonly LogLines _log = new();
    private string _text = "";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Lanes_routes_keys_and_the_pause_are_taken_up()
    {
        var live = Start("");
        CcpConfig? taken = null;
        live.Follow(config => taken = config);

        _text = "paused = true\n" + House + "[[route]]\nmodel = '*'\nlane = 'house'\n[[key]]\nname = 'k'\nlane = 'house'\nvalue = 'env:HOUSE_KEY'";
        var outcome = live.Reload("test");

        Assert.Empty(outcome.Problems);
        Assert.Empty(outcome.NeedRestart);
        Assert.Same(live.Now, taken);
        Assert.Equal(["anthropic", "zai", "house"], live.Now.Lanes.Select(lane => lane.Name));
        Assert.Equal("house", Assert.Single(live.Now.Routing.Routes).Lane);
        Assert.True(live.Now.Routing.IsPaused);
        Assert.Equal("k", Assert.Single(live.Now.Keys).Name);
        Assert.Contains("Information: Configuration taken up: 3 lanes, 1 routes, paused: True; asked for by test", _log.All);
    }

    [Fact]
    public void A_bad_file_changes_nothing_and_says_all_that_is_wrong()
    {
        var live = Start(House);
        var before = live.Now;
        live.Follow(_ => Assert.Fail("nothing was to be taken up"));

        _text = "paused = true\n[[route]]\nmodel = '*'\nlane = 'house'\n[server]\ndrain = 7\nspeed = 9";
        var outcome = live.Reload("test");

        Assert.Equal(3, outcome.Problems.Count);
        Assert.Same(before, live.Now);
        Assert.Equal(outcome, live.Last);
        Assert.Equal(3, _log.All.Count(line => line.StartsWith("Error: The configuration stays as it was: config.toml:", StringComparison.Ordinal)));

        _text = House;
        live.Follow(_ => { });
        Assert.Empty(live.Reload("test").Problems);
        Assert.Empty(live.Last.Problems);
    }

    [Fact]
    public void What_takes_a_restart_is_named_and_stays_as_it_was()
    {
        var live = Start("[server]\nlisten = '127.0.0.1:8082'\ndrain = '5s'\n[billing]\nmarkup = 2");

        _text = "[server]\nlisten = '127.0.0.1:9000'\ndrain = '5s'\n[storage]\npath = 'other.db'\n[[user]]\nname = 'bob'\n[[route]]\nmodel = '*'\nlane = 'zai'";
        var outcome = live.Reload("test");

        Assert.Equal(["billing.markup", "server.listen", "storage.path", "user"], outcome.NeedRestart);
        Assert.Equal(8082, live.Now.Server.Listen[0].EndPoint!.Port);
        Assert.Equal("ccp.db", live.Now.Storage.Path);
        Assert.Empty(live.Now.Users);
        Assert.Single(live.Now.Routing.Routes);

        // What is put back needs no restart any more.
        _text = "[server]\ndrain = '5s'\nlisten = '127.0.0.1:8082'\n[billing]\nmarkup = 2";
        Assert.Empty(live.Reload("test").NeedRestart);
    }

    [Fact]
    public void Who_needs_a_token_changes_with_a_restart_only()
    {
        var live = Start("");

        _text = "[auth]\nmode = 'local'";
        Assert.Equal(["auth.mode"], live.Reload("test").NeedRestart);
        Assert.False(live.Now.Auth.IsLocal);
        Assert.Empty(live.Now.Users);

        _text = "[auth]\nmode = 'local'\n[server]\nlisten = '0.0.0.0:80'\ninsecure_http = true";
        Assert.Single(live.Reload("test").Problems);
    }

    [Fact]
    public void A_look_takes_nothing_up()
    {
        var live = Start("");
        _text = "paused = true";

        Assert.Empty(live.Look().Problems);
        Assert.False(live.Now.Routing.IsPaused);
        _text = "paused = 7";
        Assert.Single(live.Look().Problems);
        Assert.Empty(live.Last.Problems);
    }

    [Fact]
    public void A_change_of_the_file_counts_once_it_has_stood_for_a_while()
    {
        var clock = new ManualClock();
        var path = _folder["config.toml"];
        var changes = 0;
        File.WriteAllText(path, "a");
        using var watch = new ConfigWatch(path, FileStamp.Of(path), () => changes++, clock);

        clock.Advance(ConfigWatch.LookEvery * 3);
        Assert.Equal(0, changes);

        File.WriteAllText(path, "ab");
        clock.Advance(ConfigWatch.LookEvery);
        File.WriteAllText(path, "abc");
        clock.Advance(ConfigWatch.LookEvery);
        Assert.Equal(0, changes);
        clock.Advance(ConfigWatch.LookEvery);
        Assert.Equal(1, changes);

        clock.Advance(ConfigWatch.LookEvery * 3);
        Assert.Equal(1, changes);

        File.Delete(path);
        clock.Advance(ConfigWatch.LookEvery * 2);
        Assert.Equal(2, changes);
    }

    [Fact]
    public void A_change_made_while_ccp_starts_counts_at_the_second_look()
    {
        var clock = new ManualClock();
        var path = _folder["config.toml"];
        var changes = 0;
        File.WriteAllText(path, "a");
        var stamp = FileStamp.Of(path);
        File.WriteAllText(path, "b");
        using var watch = new ConfigWatch(path, stamp, () => changes++, clock);

        clock.Advance(ConfigWatch.LookEvery);
        Assert.Equal(0, changes);
        clock.Advance(ConfigWatch.LookEvery);
        Assert.Equal(1, changes);
    }

    /// <summary>As container platforms mount it: a link to a file below a link to a directory, and it is the latter that changes.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public void A_change_behind_two_links_is_seen_even_of_the_same_length_and_time(int secondsLater)
    {
        var clock = new ManualClock();
        var time = clock.GetUtcNow().UtcDateTime;
        Write("v1", "a = 1", time);
        Write("v2", "a = 2", time.AddSeconds(secondsLater));
        File.CreateSymbolicLink(_folder["data"], "v1");
        File.CreateSymbolicLink(_folder["config.toml"], Path.Combine("data", "config.toml"));
        var changes = 0;
        using var watch = new ConfigWatch(_folder["config.toml"], FileStamp.Of(_folder["config.toml"]), () => changes++, clock);
        clock.Advance(ConfigWatch.LookEvery * 2);
        Assert.Equal(0, changes);

        File.Delete(_folder["data"]);
        File.CreateSymbolicLink(_folder["data"], "v2");
        clock.Advance(ConfigWatch.LookEvery * 2);
        Assert.Equal(1, changes);

        void Write(string version, string text, DateTime at)
        {
            Directory.CreateDirectory(_folder[version]);
            var file = Path.Combine(_folder[version], "config.toml");
            File.WriteAllText(file, text);
            File.SetLastWriteTimeUtc(file, at);
        }
    }

    [Fact]
    public void A_file_that_is_emptied_changes_nothing_and_one_with_a_comment_is_meant()
    {
        var live = Start(House);
        var before = live.Now;

        _text = " \n";
        Assert.Equal("config.toml: is empty, and was not: put back what it held, or write a comment into it if the defaults are meant", Assert.Single(live.Reload("test").Problems));
        Assert.Same(before, live.Now);

        _text = "# nothing";
        Assert.Empty(live.Reload("test").Problems);
        Assert.Equal(2, live.Now.Lanes.Count);

        // It is not empty that is refused, but emptied.
        live = Start("");
        Assert.Empty(live.Reload("test").Problems);
    }

    private LiveConfig Start(string text)
    {
        _text = text;
        return new LiveConfig(Configured.Result(text, Environment), () => Configured.Result(_text, Environment), _log);
    }
}
