namespace Ccp.Tests.Configuration;

public sealed class PolicySectionTests
{
    private const string Key = "ebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ=";

    [Fact]
    public void Without_it_there_is_no_policy()
    {
        var policy = Configured.Good("").Policy;

        Assert.Null(policy.Source);
        Assert.Equal(TimeSpan.FromMinutes(15), policy.Refresh);
    }

    [Theory]
    [InlineData("https://policies.example/team.json", "https://policies.example/team.json")]
    [InlineData("http://127.0.0.1:8090/team.json", "http://127.0.0.1:8090/team.json")]
    [InlineData("http://[::1]:8090/team.json", "http://[::1]:8090/team.json")]
    [InlineData("/etc/ccp/team.json", "/etc/ccp/team.json")]
    [InlineData("team.json", "team.json")]
    public void It_comes_from_an_address_or_a_file(string url, string source)
    {
        var policy = Configured.Good($"[policy]\nurl = '{url}'\npublic_key = '{Key}'\nrefresh = '1h'").Policy;

        Assert.Equal((source, TimeSpan.FromHours(1)), (policy.Source, policy.Refresh));
        Assert.Equal(Convert.FromBase64String(Key), Assert.Single(policy.PublicKeys));
    }

    [Fact]
    public void Several_keys_count_while_one_replaces_another() =>
        Assert.Equal(2, Configured.Good($"[policy]\nurl = '/a'\npublic_key = ['{Key}', '{Convert.ToBase64String(new byte[32])}']").Policy.PublicKeys.Count);

    [Theory]
    [InlineData("url = 'http://policies.example/a'\npublic_key = 'KEY'", "expected https, a file's path, or http on this host")]
    [InlineData("url = 'ftp://policies.example/a'\npublic_key = 'KEY'", "expected an address")]
    [InlineData("url = 'https://me:pass@policies.example/a'\npublic_key = 'KEY'", "a name and password")]
    [InlineData("url = 'https://policies.example/a'", "state the public_key")]
    [InlineData("url = '/a'\npublic_key = 'AAAA'", "32 bytes in base64")]
    [InlineData("url = '/a'\npublic_key = 7", "32 bytes in base64")]
    [InlineData("url = '/a'\npublic_key = 'KEY'\nrefresh = '5s'", "expected a duration")]
    [InlineData("url = '/a'\npublic_key = 'KEY'\npublic_keys = 'KEY'", "there is no such setting")]
    public void What_cannot_be_obeyed_is_refused(string toml, string problem) =>
        Assert.Contains(problem, Configured.Problem("[policy]\n" + toml.Replace("KEY", Key, StringComparison.Ordinal)), StringComparison.Ordinal);
}
