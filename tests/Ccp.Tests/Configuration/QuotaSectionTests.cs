using Ccp.Configuration;

namespace Ccp.Tests.Configuration;

public sealed class QuotaSectionTests
{
    private const string Head = "[[quota]]\nmodel = 'claude-haiku-*'\nlane = 'zai'\n";

    [Fact]
    public void Every_setting_is_read_and_what_is_left_out_has_its_usual_value()
    {
        var quotas = Configured.Good($"{Head}rolling_tokens = 300000\n[[quota]]\nmodel = '*'\nlane = 'zai'\nrolling = '1h'\nrolling_tokens = 5\nweekly_tokens = 7\nwarn_at = 0.75\nreroute = 'preemptive'\ncooldown = '90s'").Quotas;
        Assert.Equal(
            [
                new QuotaConfig("claude-haiku-*", "zai", TimeSpan.FromHours(5), 300_000, 0, 0.8m, QuotaReroute.Hybrid, TimeSpan.FromMinutes(5)),
                new QuotaConfig("*", "zai", TimeSpan.FromHours(1), 5, 7, 0.75m, QuotaReroute.Preemptive, TimeSpan.FromSeconds(90)),
            ],
            quotas);
        Assert.Null(Configured.Good($"{Head}weekly_tokens = 7\nwarn_at = 'auto'\nreroute = 'run_to_cap'").Quotas.Single().WarnAt);
        Assert.Empty(Configured.Good("").Quotas);
    }

    [Theory]
    [InlineData("[[quota]]\nlane = 'zai'\nrolling_tokens = 1", "config.toml:1:1: quota: model is missing")]
    [InlineData("[[quota]]\nmodel = '*'\nrolling_tokens = 1", "config.toml:1:1: quota: lane is missing")]
    [InlineData("[[quota]]\nmodel = 'a b'\nlane = 'zai'\nrolling_tokens = 1", "config.toml:2:9: quota.model: expected a model, or a pattern of models such as \"claude-haiku-*\"")]
    [InlineData("[[quota]]\nmodel = '*'\nlane = 'house'\nrolling_tokens = 1", "config.toml:3:8: quota.lane: there is no lane \"house\"; the lanes are: \"anthropic\", \"zai\"")]
    [InlineData(Head, "config.toml:1:1: quota: rolling_tokens and weekly_tokens are missing; state at least one of them")]
    [InlineData(Head + "rolling_tokens = 0", "config.toml:4:18: quota.rolling_tokens: state rolling_tokens or weekly_tokens, above 0: without a cap there is no quota")]
    [InlineData(Head + "weekly_tokens = 0", "config.toml:4:17: quota.weekly_tokens: state rolling_tokens or weekly_tokens, above 0: without a cap there is no quota")]
    [InlineData(Head + "weekly_tokens = 1\nrolling = '1h'", "config.toml:5:11: quota.rolling: state rolling_tokens too: nothing is counted in this window")]
    [InlineData(Head + "rolling_tokens = -1\nweekly_tokens = 1", "config.toml:4:18: quota.rolling_tokens: expected a whole number from 0 to 1000000000000000, found -1")]
    [InlineData(Head + "rolling_tokens = 1\nrolling = '5s'", "config.toml:5:11: quota.rolling: expected a duration from \"1m\" to \"31d\" (a number and ms, s, m, h or d, in quotes), found \"5s\"")]
    [InlineData(Head + "rolling_tokens = 1\nwarn_at = 'soon'", "config.toml:5:11: quota.warn_at: expected \"auto\", or a share from 0 to 1, with at most 9 decimals and no exponent, found \"soon\"")]
    [InlineData(Head + "rolling_tokens = 1\nwarn_at = 1.5", "config.toml:5:11: quota.warn_at: expected \"auto\", or a share from 0 to 1, with at most 9 decimals and no exponent, found 1.5")]
    [InlineData(Head + "rolling_tokens = 1\nwarn_at = 0", "config.toml:5:11: quota.warn_at: a warning that always stands says nothing: state a share above 0")]
    [InlineData(Head + "rolling_tokens = 1\nreroute = 'never'", "config.toml:5:11: quota.reroute: expected \"hybrid\" or \"run_to_cap\" or \"preemptive\", found \"never\"")]
    [InlineData(Head + "rolling_tokens = 1\nreroute = 'run_to_cap'\ncooldown = '5m'", "config.toml:6:12: quota.cooldown: with reroute = \"run_to_cap\" there is none: leave it out")]
    [InlineData(Head + "rolling_tokens = 1\ncooldown = '0s'", "config.toml:5:12: quota.cooldown: expected a duration from \"1s\" to \"1d\" (a number and ms, s, m, h or d, in quotes), found \"0s\"")]
    [InlineData(Head + "rolling_tokens = 1\nrolling_token = 1", "config.toml:5:1: quota.rolling_token: there is no such setting; did you mean \"rolling_tokens\"?")]
    [InlineData(Head + "rolling_tokens = 1\n" + Head + "rolling_tokens = 1", "config.toml:6:9: quota.model: a quota of this model on this lane is already on line 2")]
    [InlineData("[storage]\nrequest_records = '6d'\n" + Head + "weekly_tokens = 1", "config.toml:6:17: quota.weekly_tokens: this is counted from the request records of 7d, and storage.request_records keeps 6d")]
    [InlineData("[storage]\nrequest_records = '1d'\n" + Head + "rolling_tokens = 1\nrolling = '2d'", "config.toml:7:11: quota.rolling: this is counted from the request records of 2d, and storage.request_records keeps 1d")]
    public void A_quota_that_cannot_be_is_told_with_its_place(string toml, string problem) => Assert.Equal(problem, Configured.Problem(toml));
}
