using Ccp.Cli;
using Ccp.Configuration;
using Ccp.Tests.Licenses;
using Ccp.Tests.Store;

namespace Ccp.Tests.Cli;

public sealed class ConfigSourceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_of_the_data_directory_that_is_deleted_changes_nothing()
    {
        File.WriteAllText(_folder["config.toml"], "paused = true");
        var live = Start();
        var before = live.Now;

        File.Delete(_folder["config.toml"]);
        var problem = Assert.Single(live.Reload("test").Problems);
        Assert.Equal($"{_folder["config.toml"]}: is not there any more: put it back, or restart ccp if the built-in default is meant", problem);
        Assert.Same(before, live.Now);

        File.WriteAllText(_folder["config.toml"], "");
        Assert.Single(live.Reload("test").Problems);
        Assert.Same(before, live.Now);

        File.WriteAllText(_folder["config.toml"], "paused = false");
        Assert.Empty(live.Reload("test").Problems);
        Assert.False(live.Now.Routing.IsPaused);
    }

    [Fact]
    public void A_file_that_comes_after_the_start_is_taken_up_and_then_missed_like_any_other()
    {
        var live = Start();
        Assert.Empty(live.Reload("test").Problems);

        // One with a mistake was never in force, so it is not missed.
        File.WriteAllText(_folder["config.toml"], "paused = 7");
        Assert.Single(live.Reload("test").Problems);
        File.Delete(_folder["config.toml"]);
        Assert.Empty(live.Reload("test").Problems);

        File.WriteAllText(_folder["config.toml"], "paused = true");
        Assert.Empty(live.Reload("test").Problems);
        File.Delete(_folder["config.toml"]);
        Assert.Single(live.Reload("test").Problems);
        Assert.True(live.Now.Routing.IsPaused);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void An_empty_variable_is_as_none_and_an_empty_argument_is_a_problem(string empty)
    {
        File.WriteAllText(_folder["config.toml"], "paused = true");
        var source = Load(null, empty);
        Assert.Equal((_folder["config.toml"], true), (source.Name, source.Result.Config!.Routing.IsPaused));

        Assert.Equal("--config: expected the name of a file, found an empty text", Assert.Single(Load(empty, null).Result.Problems).ToString());
    }

    [Fact]
    public void The_file_that_is_named_comes_first_and_must_be_there()
    {
        File.WriteAllText(_folder["named.toml"], "paused = true");
        Assert.Equal(_folder["named.toml"], Load(_folder["named.toml"], _folder["other.toml"]).Path);
        Assert.Equal(_folder["named.toml"], Load(null, _folder["named.toml"]).Name);
        Assert.Contains("cannot be read", Assert.Single(Load(null, _folder["other.toml"]).Result.Problems).Message, StringComparison.Ordinal);
    }

    private ConfigSource Load(string? named, string? variable) =>
        ConfigSource.Load(named, DataDirectory.At(_folder.Path), name => name == "CCP_CONFIG" ? variable : null);

    private LiveConfig Start()
    {
        var source = Load(null, null);
        return new LiveConfig(source.Result, () => source.Again!().Result, new LogLines());
    }
}
