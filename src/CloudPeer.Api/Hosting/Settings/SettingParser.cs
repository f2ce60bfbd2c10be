using System.Globalization;
using System.Net;
using CloudPeer.Sync.Relay;
using Serilog.Events;

namespace CloudPeer.Api.Hosting.Settings;

/// <summary>Turns texts into <see cref="ServerSettings"/> and collects every fault on the way, so that they are reported at once.</summary>
internal sealed class SettingParser
{
    private const int NameLetters = 64;
    private const int ConnectionsOfAnAddress = 1_000;
    private readonly Dictionary<Setting, string> _values;
    private readonly List<string> _faults = [];

    private SettingParser(IEnumerable<SettingValue> values) => _values = values.ToDictionary(value => value.Setting, value => value.Value);

    /// <summary>The settings, or null and every fault with the setting's name and value.</summary>
    public static ServerSettings? Parse(IEnumerable<SettingValue> values, out IReadOnlyList<string> faults)
    {
        var parser = new SettingParser(values);
        var settings = parser.Parse();
        faults = parser._faults;
        return faults.Count == 0 ? settings : null;
    }

    private ServerSettings Parse()
    {
        var bind = Bind();
        var (http, grpc, metrics) = Ports();
        OneOf(SettingCatalog.Billing, ("off", true));
        return new()
        {
            HttpPort = http,
            GrpcPort = grpc,
            Bind = bind,
            BaseUrl = Url(SettingCatalog.BaseUrl),
            GrpcUrl = Url(SettingCatalog.GrpcUrl),
            DataDir = Folder(SettingCatalog.DataDir),
            PostgresConnection = Database(SettingCatalog.DatabaseUrl),
            PostgresListenConnection = ListenDatabase(),
            BlobDir = IsDefault(SettingCatalog.BlobDir) ? null : Folder(SettingCatalog.BlobDir),
            Name = ServerName(),
            RegistrationOpen = IsDefault(SettingCatalog.Registration)
                ? bind is null || IPAddress.IsLoopback(bind)
                : OneOf(SettingCatalog.Registration, ("open", true), ("closed", false)),
            LocalPlan = LocalPlan(),
            CallsPerSecond = (int)Number(SettingCatalog.CallsPerSecond, 1_000_000),
            AccountCallsPerSecond = (int)Number(SettingCatalog.AccountCallsPerSecond, 1_000_000),
            AddressCallsPerSecond = (int)Number(SettingCatalog.AddressCallsPerSecond, 1_000_000),
            AddressConnections = IsDefault(SettingCatalog.AddressConnections)
                ? bind is null || IPAddress.IsLoopback(bind) ? 0 : ConnectionsOfAnAddress
                : (int)Number(SettingCatalog.AddressConnections, 1_000_000),
            MaxConnections = (int)Number(SettingCatalog.MaxConnections, 1_000_000),
            MaxSubscriptions = (int)Number(SettingCatalog.MaxSubscriptions, ServerLimits.MostSubscriptions, 1),
            TrustedProxies = Networks(SettingCatalog.TrustedProxies),
            MetricsPort = metrics,
            OtlpUrl = Url(SettingCatalog.OtlpUrl),
            Reflection = OneOf(SettingCatalog.Reflection, ("on", true), ("off", false)),
            LogFormat = OneOf(SettingCatalog.LogFormat, ("auto", LogFormat.Auto), ("text", LogFormat.Text), ("json", LogFormat.Json)),
            LogLevel = OneOf(
                SettingCatalog.LogLevel,
                ("trace", LogEventLevel.Verbose),
                ("debug", LogEventLevel.Debug),
                ("information", LogEventLevel.Information),
                ("warning", LogEventLevel.Warning),
                ("error", LogEventLevel.Error)),
        };
    }

    private TenantLimits LocalPlan() => new()
    {
        StorageBytes = (ulong)Number(SettingCatalog.LocalPlanBytes, long.MaxValue),
        Documents = (ulong)Number(SettingCatalog.LocalPlanDocuments, long.MaxValue),
        EnvelopesPerDay = (ulong)Number(SettingCatalog.LocalPlanEnvelopesPerDay, long.MaxValue),
        Devices = (ulong)Number(SettingCatalog.LocalPlanDevices, long.MaxValue),
        InboxMessages = (ulong)Number(SettingCatalog.LocalPlanInboxMessages, long.MaxValue),
        AuthorPercent = (int)Number(SettingCatalog.LocalPlanAuthorPercent, 100),
    };

    private bool IsDefault(Setting setting) => string.Equals(_values[setting], setting.Default, StringComparison.Ordinal);

    private (int Http, int Grpc, int Metrics) Ports()
    {
        var http = (int)Number(SettingCatalog.HttpPort, IPEndPoint.MaxPort);
        var grpc = (int)Number(SettingCatalog.GrpcPort, IPEndPoint.MaxPort);
        if (http == grpc && http > 0) Fault(SettingCatalog.GrpcPort, $"another port than {SettingCatalog.HttpPort.Variable} is needed, gRPC without TLS cannot share it");
        var metrics = (int)Number(SettingCatalog.MetricsPort, IPEndPoint.MaxPort);
        if (metrics > 0 && (metrics == http || metrics == grpc)) Fault(SettingCatalog.MetricsPort, "a port of its own is needed, or 0 for none");
        return (http, grpc, metrics);
    }

    private IPAddress? Bind()
    {
        var value = _values[SettingCatalog.Bind];
        if (string.Equals(value, "localhost", StringComparison.OrdinalIgnoreCase)) return null;
        if (value is "*") return IPAddress.IPv6Any;
        if (IPAddress.TryParse(value, out var address)) return address;
        Fault(SettingCatalog.Bind, "localhost, an IP address or * is needed");
        return null;
    }

    private Uri? Url(Setting setting)
    {
        if (IsDefault(setting)) return null;
        if (Uri.TryCreate(_values[setting], UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0 && url.UserInfo.Length == 0)
            return url;
        Fault(setting, "an address such as https://peer.example.org is needed");
        return null;
    }

    private string Folder(Setting setting)
    {
        var value = _values[setting];
        if (!value.Contains('\0', StringComparison.Ordinal)) return Path.GetFullPath(value);
        Fault(setting, "a folder is needed");
        return Path.GetFullPath(setting.Default);
    }

    private string? ListenDatabase()
    {
        if (_values[SettingCatalog.DatabaseListenUrl].Length > 0 && _values[SettingCatalog.DatabaseUrl].Length == 0)
            _faults.Add($"{SettingCatalog.DatabaseListenUrl.Variable} is set: it needs {SettingCatalog.DatabaseUrl.Variable} too, since SQLite has one node");
        return Database(SettingCatalog.DatabaseListenUrl);
    }

    private string? Database(Setting setting)
    {
        var value = _values[setting];
        if (value.Length == 0) return null;
        if (PostgresUrl.TryParse(value, out var connection, out var fault)) return connection;
        // The value may hold a password, so it is shown masked or not at all.
        _faults.Add($"{setting.Variable} is {PostgresUrl.Mask(value)}: {fault}");
        return null;
    }

    private string ServerName()
    {
        var name = _values[SettingCatalog.Name];
        if (name.Length > NameLetters || name.Any(char.IsControl)) Fault(SettingCatalog.Name, $"at most {NameLetters} printable letters are allowed");
        return name;
    }

    private List<IPNetwork> Networks(Setting setting)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in _values[setting].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPNetwork.TryParse(text, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(text, out var address)) networks.Add(new(address, address.GetAddressBytes().Length * 8));
            else
            {
                Fault(setting, "IP addresses or networks such as 10.0.0.0/8, separated by commas, are needed");
                break;
            }
        }

        return networks;
    }

    private long Number(Setting setting, long max, long min = 0)
    {
        if (long.TryParse(_values[setting], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max) return number;
        Fault(setting, $"a whole number from {min} to {max} is needed");
        return min;
    }

    private T OneOf<T>(Setting setting, params ReadOnlySpan<(string Text, T Value)> choices)
    {
        var texts = new List<string>();
        foreach (var (text, value) in choices)
        {
            if (string.Equals(_values[setting], text, StringComparison.OrdinalIgnoreCase)) return value;
            texts.Add(text);
        }

        Fault(setting, $"{string.Join(" or ", texts)} is needed");
        return choices[0].Value;
    }

    private void Fault(Setting setting, string needed) => _faults.Add($"{setting.Variable} is '{Printable(_values[setting])}': {needed}");

    private static string Printable(string value) =>
        string.Concat(value.Take(NameLetters * 2).Select(letter => char.IsControl(letter) ? '?' : letter));
}
