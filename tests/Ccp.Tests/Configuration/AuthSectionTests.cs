using Ccp.Configuration;

namespace Ccp.Tests.Configuration;

public sealed class AuthSectionTests
{
    private const string Local = "[auth]\nmode = 'local'\n";

    [Theory]
    [InlineData("", false)]
    [InlineData("[auth]\nmode = 'tokens'", false)]
    [InlineData("[auth]\nmode = 'tokens'\n[server]\nlisten = '0.0.0.0:80'\ninsecure_http = true\ntrusted_proxies = '10.0.0.0/8'", false)]
    [InlineData(Local, true)]
    [InlineData(Local + "[server]\nlisten = ['127.0.0.1:1', '127.255.0.9:1', '[::1]:1', 'localhost:2', 'unix:/run/ccp.sock']\ntrusted_proxies = []", true)]
    public void The_mode_is_one_of_two(string toml, bool isLocal)
    {
        Assert.Equal(isLocal, Configured.Good(toml).Auth.IsLocal);
    }

    [Theory]
    [InlineData("[auth]\nmode = 'none'", "config.toml:2:8: auth.mode: expected \"tokens\" or \"local\", found \"none\"")]
    [InlineData("[auth]\nmode = 'Local'", "config.toml:2:8: auth.mode: expected \"tokens\" or \"local\", found \"Local\"")]
    [InlineData("[auth]\nmode = true", "config.toml:2:8: auth.mode: expected \"tokens\" or \"local\", found true")]
    [InlineData(Local + "[server]\ntrusted_proxies = '127.0.0.1'", "config.toml:4:19: server.trusted_proxies: a proxy brings other hosts' calls, and with auth.mode = \"local\" whoever calls needs no token; leave one of the two out")]
    [InlineData(Local + "[[user]]\nname = 'local'\nadmin = true", "config.toml:5:9: user.admin: with auth.mode = \"local\" every program on this host is this user, who therefore is no admin; leave it out")]
    [InlineData(Local + "[[user]]\nname = 'local'\nbilling = true", "config.toml:5:11: user.billing: with auth.mode = \"local\" this user is not charged; leave it out, or set auth.mode = \"tokens\"")]
    [InlineData(Local + "[[user]]\nname = 'local'\nlimits = { spend_per_day = 1 }", "config.toml:5:10: user.limits: spend_per_day and spend_per_month count what a user is charged, and admins and users with billing = false are charged nothing")]
    public void What_cannot_be_is_a_problem_with_its_place(string toml, string problem)
    {
        Assert.Equal(problem, Configured.Problem(toml));
    }

    /// <summary>TLS and insecure_http make a network no safer for those who need no token.</summary>
    [Theory]
    [InlineData("listen = '0.0.0.0:80'", "4:10", "0.0.0.0:80")]
    [InlineData("listen = ['127.0.0.1:1', '[::]:80']", "4:26", "[::]:80")]
    [InlineData("listen = '192.168.1.7:80'\ninsecure_http = true", "4:10", "192.168.1.7:80")]
    [InlineData("listen = '0.0.0.0:443'\ntls_cert = '/c.pem'\ntls_key = '/k.pem'", "4:10", "0.0.0.0:443")]
    public void Local_mode_listens_on_this_host_only(string server, string place, string address)
    {
        Assert.Equal(
            $"config.toml:{place}: server.listen: {address} is open to the network, and with auth.mode = \"local\" whoever calls needs no token; listen on 127.0.0.1, [::1] or a unix socket, or set auth.mode = \"tokens\"",
            Configured.Problem(Local + "[server]\n" + server));
    }

    [Fact]
    public void The_variable_is_held_to_the_same_rule_and_comes_first()
    {
        Assert.StartsWith(
            "CCP_LISTEN: 0.0.0.0:80 is open to the network, and with auth.mode = \"local\"",
            Configured.Problem(Local + "[server]\ninsecure_http = true", new() { ["CCP_LISTEN"] = "127.0.0.1:1,0.0.0.0:80" }),
            StringComparison.Ordinal);
        Assert.True(Configured.Good(Local + "[server]\nlisten = '0.0.0.0:80'", new() { ["CCP_LISTEN"] = "[::1]:80" }).Auth.IsLocal);
    }

    [Fact]
    public void Local_mode_states_its_user_and_the_file_may_say_more()
    {
        Assert.Equal(new UserConfig("local", null, IsAdmin: false, null, IsBilled: false, null), Assert.Single(Configured.Good(Local).Users));
        Assert.Empty(Configured.Good("").Users);

        var users = Configured.Good(Local + "[[user]]\nname = 'alice'\nadmin = true\n[[user]]\nname = 'local'\nlane_override = 'zai'\nmodels = 'claude-haiku-*'\nlimits = { concurrent = 2 }").Users;
        Assert.Equal(["alice", "local"], users.Select(user => user.Name));
        Assert.True(users[0] is { IsAdmin: true, IsBilled: null });
        Assert.True(users[1] is { IsAdmin: false, IsBilled: false, LaneOverride: "zai", Limits: { Concurrent: 2, Models: ["claude-haiku-*"] } });
    }

    [Fact]
    public void With_tokens_a_user_of_that_name_is_like_any_other()
    {
        Assert.True(Configured.Good("[[user]]\nname = 'local'\nadmin = true\nbilling = true").Users is [{ IsAdmin: true, IsBilled: true }]);
    }
}
