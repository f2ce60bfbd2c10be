using CloudPeer.Api.Hosting.Settings;
using CloudPeer.TestKit;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

public sealed class SettingTests
{
    [Fact]
    public void Without_settings_the_server_is_for_this_machine_only_and_open_to_it()
    {
        var settings = Parse([], out var faults)!;

        Assert.Empty(faults);
        Assert.Equal((5180, 5181, null, null), (settings.HttpPort, settings.GrpcPort, settings.Bind, settings.PostgresConnection));
        Assert.Equal(Path.GetFullPath("data"), settings.DataDir);
        Assert.True(settings.RegistrationOpen);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("LOCALHOST", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("*", false)]
    [InlineData("192.168.1.7", false)]
    public void Registration_is_open_by_itself_only_on_loopback(string bind, bool open)
    {
        Assert.Equal(open, Parse([("CLOUDPEER_BIND", bind)], out _)!.RegistrationOpen);
        Assert.True(Parse([("CLOUDPEER_BIND", bind), ("CLOUDPEER_REGISTRATION", "open")], out _)!.RegistrationOpen);
        Assert.False(Parse([("CLOUDPEER_BIND", bind), ("CLOUDPEER_REGISTRATION", "closed")], out _)!.RegistrationOpen);
    }

    [Fact]
    public void All_faults_are_told_at_once_with_setting_and_value()
    {
        var settings = Parse(
            [
                ("CLOUDPEER_HTTP_PORT", "65536"),
                ("CLOUDPEER_GRPC_PORT", "-1"),
                ("CLOUDPEER_BIND", "example.org"),
                ("CLOUDPEER_BASE_URL", "ftp://x"),
                ("CLOUDPEER_GRPC_URL", "nonsense"),
                ("CLOUDPEER_DATABASE_URL", "mysql://user:hunter2@host/db"),
                ("CLOUDPEER_NAME", new string('n', 65)),
                ("CLOUDPEER_REGISTRATION", "maybe"),
                ("CLOUDPEER_BILLING", "stripe"),
                ("CLOUDPEER_LOCAL_PLAN_BYTES", "1GB"),
                ("CLOUDPEER_CALLS_PER_SECOND", "many"),
                ("CLOUDPEER_ACCOUNT_CALLS_PER_SECOND", "-1"),
                ("CLOUDPEER_ADDRESS_CALLS_PER_SECOND", "1000001"),
                ("CLOUDPEER_ADDRESS_CONNECTIONS", "1000001"),
                ("CLOUDPEER_MAX_CONNECTIONS", "1000001"),
                ("CLOUDPEER_MAX_SUBSCRIPTIONS", "10001"),
                ("CLOUDPEER_TRUSTED_PROXIES", "10.0.0.0/8, caddy"),
                ("CLOUDPEER_REFLECTION", "yes"),
                ("CLOUDPEER_LOG_FORMAT", "xml"),
                ("CLOUDPEER_LOG_LEVEL", "loud"),
            ],
            out var faults);

        Assert.Null(settings);
        Assert.Equal(20, faults.Count);
        Assert.Contains(faults, fault => fault.StartsWith("CLOUDPEER_HTTP_PORT is '65536': ", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.StartsWith("CLOUDPEER_DATABASE_URL is mysql://user:***@host/db: ", StringComparison.Ordinal));
        Assert.DoesNotContain(faults, fault => fault.Contains("hunter2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "10.1.2.3", false)]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("192.168.0.0/16, 10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("fd00::/8", "fd12::1", true)]
    [InlineData("fd00::/8", "fe12::1", false)]
    public void Only_the_named_networks_are_trusted_proxies(string proxies, string address, bool trusted) =>
        Assert.Equal(trusted, Parse([("CLOUDPEER_TRUSTED_PROXIES", proxies)], out _)!.IsTrustedProxy(System.Net.IPAddress.Parse(address)));

    [Theory]
    [InlineData("1", 1)]
    [InlineData("10000", 10_000)]
    [InlineData("0", null)]
    [InlineData("10001", null)]
    public void A_stream_may_be_given_as_many_subscriptions_as_there_may_be(string number, int? expected) =>
        Assert.Equal(expected, Parse([("CLOUDPEER_MAX_SUBSCRIPTIONS", number)], out _)?.MaxSubscriptions);

    [Fact]
    public void An_address_to_listen_at_needs_a_database_and_is_shown_without_its_password()
    {
        const string direct = "postgres://user:hunter2@direct/name", pooled = "postgres://user:hunter2@pooled/name";

        Assert.Null(Parse([("CLOUDPEER_DATABASE_LISTEN_URL", direct)], out var faults));
        Assert.Contains("CLOUDPEER_DATABASE_URL", Assert.Single(faults), StringComparison.Ordinal);
        Assert.Null(Parse([("CLOUDPEER_DATABASE_URL", pooled), ("CLOUDPEER_DATABASE_LISTEN_URL", "mysql://user:hunter2@direct/name")], out faults));
        Assert.DoesNotContain("hunter2", Assert.Single(faults), StringComparison.Ordinal);
        Assert.Contains("Host=direct", Parse([("CLOUDPEER_DATABASE_URL", pooled), ("CLOUDPEER_DATABASE_LISTEN_URL", direct)], out _)!.PostgresListenConnection, StringComparison.Ordinal);
        Assert.Null(Parse([("CLOUDPEER_DATABASE_URL", pooled)], out _)!.PostgresListenConnection);
    }

    [Fact]
    public void Two_services_cannot_share_a_port_except_the_one_that_is_chosen_later()
    {
        Assert.Null(Parse([("CLOUDPEER_HTTP_PORT", "7000"), ("CLOUDPEER_GRPC_PORT", "7000")], out var faults));
        Assert.Contains("CLOUDPEER_HTTP_PORT", Assert.Single(faults), StringComparison.Ordinal);
        Assert.NotNull(Parse([("CLOUDPEER_HTTP_PORT", "0"), ("CLOUDPEER_GRPC_PORT", "0")], out _));
    }

    [Fact]
    public void The_variable_wins_over_configuration_and_an_empty_one_is_none()
    {
        var settings = Parse(
            [
                ("CloudPeer:HttpPort", "7001"),
                ("CloudPeer:GrpcPort", "7002"),
                ("CLOUDPEER_GRPC_PORT", "7003"),
                ("CloudPeer:LocalPlanBytes", "99"),
                ("CLOUDPEER_LOCAL_PLAN_BYTES", " "),
            ],
            out _)!;

        Assert.Equal((7001, 7003, 99UL), (settings.HttpPort, settings.GrpcPort, settings.LocalPlan.StorageBytes));
    }

    [Theory]
    [InlineData("postgres://u:p%40ss@db.example.org:6000/name", "Host=db.example.org;Port=6000;Username=u;Password=p@ss;Database=name")]
    [InlineData("postgresql://u@[::1]/n%20m?SSL%20Mode=Require", "Host=::1;Port=5432;Username=u;Database=n m;SSL Mode=Require")]
    public void A_database_address_becomes_a_connection_string(string url, string expected)
    {
        Assert.True(PostgresUrl.TryParse(url, out var connection, out _));
        Assert.Equal(
            new Npgsql.NpgsqlConnectionStringBuilder(expected) { ApplicationName = "cloudpeer", MaxAutoPrepare = 64, AutoPrepareMinUsages = 2, NoResetOnClose = true }
                .ConnectionString.Split(';').Order(StringComparer.Ordinal),
            connection.Split(';').Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("postgres://host/name")]
    [InlineData("postgres://u:p@host")]
    [InlineData("postgres://u:p@/name")]
    [InlineData("postgres://u:p@host/name?NoSuchOption=1")]
    [InlineData("http://u:p@host/name")]
    public void Another_database_address_is_refused(string url) => Assert.False(PostgresUrl.TryParse(url, out _, out _));

    [Fact]
    public void A_misspelt_variable_is_found()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("CLOUDPEER_HTTP_PROT", "1"), new("CLOUDPEER_NAME", "x"), new("PATH", "y")]).Build();

        Assert.Equal("CLOUDPEER_HTTP_PROT", Assert.Single(SettingReader.Unknown(configuration)));
    }

    [Fact]
    public void The_page_lists_exactly_the_settings_with_default_and_meaning()
    {
        var rows = File.ReadLines(RepositoryRoot.PathOf("docs", "operations", "configuration.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal));
        var expected = SettingCatalog.All.Select(setting =>
            setting.Default.Length > 0 ? $"| `{setting.Variable}` | `{setting.Default}` | {setting.Meaning} |" : $"| `{setting.Variable}` | | {setting.Meaning} |");

        Assert.Equal(string.Join('\n', expected), string.Join('\n', rows));
    }

    private static ServerSettings? Parse(IEnumerable<(string Key, string Value)> values, out IReadOnlyList<string> faults)
    {
        var pairs = values.Select(value => new KeyValuePair<string, string?>(value.Key, value.Value));
        return SettingParser.Parse(SettingReader.Read(new ConfigurationBuilder().AddInMemoryCollection(pairs).Build()), out faults);
    }
}
