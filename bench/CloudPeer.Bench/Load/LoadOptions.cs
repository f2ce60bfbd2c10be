using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CloudPeer.Bench.Load;

/// <summary>What <c>load WORK [options]</c> was asked for (bench/README.md names the options).</summary>
internal sealed record LoadOptions
{
    private const int EnvelopesPerSecond = 12_000;

    /// <summary>The work, such as <c>W1a</c>.</summary>
    public required string Work { get; init; }

    /// <summary><c>sqlite</c> or <c>postgres</c>: what the server that is started here stores in, or what the caller says of the one at <see cref="Url"/>.</summary>
    public string Store { get; init; } = "sqlite";

    /// <summary>The pages' address of a running server; null starts one.</summary>
    public string? Url { get; init; }

    /// <summary>The same of another server over the same database, for <c>nodes</c>.</summary>
    public string? OtherUrl { get; init; }

    /// <summary>Processes of a running server whose use is measured: the server's first, or both servers', then the database's.</summary>
    public IReadOnlyList<int> Processes { get; init; } = [];

    /// <summary>The server's assembly; null for the one of this checkout.</summary>
    public string? ServerAssembly { get; init; }

    /// <summary>Environment of the server that is started here.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>Keeps the server and its database on the first processor and this process on the second.</summary>
    public bool Pin { get; init; }

    /// <summary>Pushes and pulls by unary calls instead of a stream.</summary>
    public bool Unary { get; init; }

    /// <summary>Devices that push.</summary>
    public int Senders { get; init; } = 64;

    /// <summary>Documents that they push to.</summary>
    public int Documents { get; init; } = 1_000;

    /// <summary>Devices that follow one document.</summary>
    public int Subscribers { get; init; } = 50;

    /// <summary>Pushes per second of an open loop.</summary>
    public int Rate { get; init; } = 200;

    /// <summary>Envelopes that wait for a device.</summary>
    public int Backlog { get; init; } = 50_000;

    /// <summary>Idle streams.</summary>
    public int Streams { get; init; } = 5_000;

    /// <summary>Readers that do not read.</summary>
    public int SlowReaders { get; init; } = 200;

    /// <summary>Envelopes of the largest document of <c>growth</c>.</summary>
    public int Largest { get; init; } = 1_000_000;

    /// <summary>How often a work that is short is repeated.</summary>
    public int Rounds { get; init; } = 15;

    /// <summary>How long is measured, at most.</summary>
    public TimeSpan Measured { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the same is done before that.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Envelopes that are made before the clock starts; null for enough at 12,000 a second.</summary>
    public int? Prepared { get; init; }

    /// <summary>Envelopes to make for a closed loop.</summary>
    public int ToPrepare => Prepared ?? (int)((WarmUp + Measured).TotalSeconds * EnvelopesPerSecond);

    /// <summary>Reads the arguments after <c>load</c>; false if they are none.</summary>
    public static bool TryParse(IReadOnlyList<string> arguments, [NotNullWhen(true)] out LoadOptions? options)
    {
        options = arguments.Count > 0 && !arguments[0].StartsWith('-') ? new() { Work = arguments[0] } : null;
        for (var i = 1; i < arguments.Count && options is not null; i++)
        {
            options = arguments[i] switch
            {
                "--pin" => options with { Pin = true },
                "--unary" => options with { Unary = true },
                var name when i + 1 < arguments.Count => options.WithText(name, arguments[++i]),
                _ => null,
            };
        }

        return options is { Store: "sqlite" or "postgres" };
    }

    private LoadOptions? WithText(string name, string value) => name switch
    {
        "--store" => this with { Store = value },
        "--url" => this with { Url = value },
        "--other-url" => this with { OtherUrl = value },
        "--server" => this with { ServerAssembly = value },
        "--set" when value.IndexOf('=', StringComparison.Ordinal) is var equals and > 0 =>
            this with { Settings = [.. Settings, new(value[..equals], value[(equals + 1)..])] },
        "--process" when TryNumber(value, out var id) => this with { Processes = [.. Processes, id] },
        _ => TryNumber(value, out var number) ? WithNumber(name, number) : null,
    };

    private LoadOptions? WithNumber(string name, int number) => name switch
    {
        "--senders" => this with { Senders = number },
        "--documents" => this with { Documents = number },
        "--subscribers" => this with { Subscribers = number },
        "--rate" => this with { Rate = number },
        "--backlog" => this with { Backlog = number },
        "--streams" => this with { Streams = number },
        "--slow-readers" => this with { SlowReaders = number },
        "--largest" => this with { Largest = number },
        "--rounds" => this with { Rounds = number },
        "--seconds" => this with { Measured = TimeSpan.FromSeconds(number) },
        "--warm-up" => this with { WarmUp = TimeSpan.FromSeconds(number) },
        "--prepare" => this with { Prepared = number },
        _ => null,
    };

    private static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}
