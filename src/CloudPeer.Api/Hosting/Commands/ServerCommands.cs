using System.CommandLine;
using Tlfs.Core;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary>
/// The command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage. A failure is one line on standard error,
/// <c>cloudpeer: … [reason]</c>, never a stack trace.
/// </summary>
internal static class ServerCommands
{
    private const int Failed = 1, WrongUsage = 2;
    private static readonly Option<bool> Json = new("--json") { Description = "Machine output: one JSON object per line.", Recursive = true };

    /// <summary>Runs a command line and returns the exit code.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, TextWriter output, TextWriter error)
    {
        var parsed = Root(output).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            return Fail(error, $"{parsed.Errors[0].Message.ReplaceLineEndings(" ")} Try --help.", Reason.BadArgument, WrongUsage);
        try
        {
            var configuration = new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                // The host itself listens for the signals that ask it to stop.
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(configuration);
        }
        catch (TlfsException refused)
        {
            return Fail(error, refused.Message, refused.Reason, refused.Reason is Reason.BadArgument ? WrongUsage : Failed);
        }
        catch (OperationCanceledException)
        {
            return Fail(error, "stopped before it was ready", Reason.Timeout, Failed);
        }
        catch (Exception unexpected)
        {
            return Fail(error, $"unexpected: {unexpected.GetType().Name}: {unexpected.Message}", Reason.Internal, Failed);
        }
    }

    private static RootCommand Root(TextWriter output)
    {
        var root = new RootCommand("The always-online peer for local-first apps. Without a command it serves.");
        root.SetAction((_, cancellationToken) => ServeCommand.RunAsync(output, cancellationToken));
        root.Add(Json);

        var version = new Command("version", "Prints the version.");
        version.SetAction(parsed => VersionCommand.Run(output, parsed.GetValue(Json)));
        root.Add(version);

        var health = new Command("healthcheck", "Asks the server on this machine whether it is ready; exit code 0 or 1.");
        health.SetAction((parsed, cancellationToken) => HealthCommand.RunAsync(output, parsed.GetValue(Json), cancellationToken));
        root.Add(health);

        var config = new Command("config", "Shows and checks the settings.");
        var show = new Command("show", "Every setting, its value and where it comes from; secrets are masked.");
        show.SetAction(parsed => ConfigCommand.Show(output, parsed.GetValue(Json)));
        var validate = new Command("validate", "Checks all settings; exit code 0, or 2 with every fault.");
        validate.SetAction(parsed => ConfigCommand.Validate(output, parsed.GetValue(Json)));
        config.Add(show);
        config.Add(validate);
        root.Add(config);

        var generation = new Command("generation", "Log generations: how clients come back after a restore.");
        var yes = new Option<bool>("--yes") { Description = "Do it; without it the command only says what it would do." };
        var begin = new Command("begin", "Run it once after restoring a backup, before serving: clients then send again what the backup lacks. Running it twice does no harm.") { yes };
        begin.SetAction((parsed, cancellationToken) =>
            GenerationCommand.BeginAsync(CommandSettings.Load(), TimeProvider.System, output, parsed.GetValue(yes), parsed.GetValue(Json), cancellationToken));
        generation.Add(begin);
        root.Add(generation);
        root.Add(User(output));
        root.Add(Usage(output));
        return root;
    }

    private static Command User(TextWriter output)
    {
        var account = new Argument<string>("ACCOUNT") { Description = "The account's id, acct_…" };
        var show = new Command("show", "What an account may do and uses here.") { account };
        show.SetAction((parsed, cancellationToken) => UserCommand.ShowAsync(
            CommandSettings.Load(), TimeProvider.System, output, parsed.GetRequiredValue(account), parsed.GetValue(Json), cancellationToken));
        var state = new Option<string>("--state")
        {
            Description = "active, read-only (its own devices store nothing), export-only (nothing is stored) or suspended (only its own devices are served).",
            HelpName = "STATE",
            DefaultValueFactory = _ => "read-only",
        };
        var hold = new Command("hold", "Sets what an account may do here, also while servers run: they see it within ten seconds. Nothing is deleted.") { account, state };
        hold.SetAction((parsed, cancellationToken) => UserCommand.HoldAsync(
            CommandSettings.Load(), TimeProvider.System, output, parsed.GetRequiredValue(account), parsed.GetRequiredValue(state), parsed.GetValue(Json), cancellationToken));
        return new("user", "The accounts of this server.") { show, hold };
    }

    private static Command Usage(TextWriter output)
    {
        var repair = new Option<bool>("--repair") { Description = "Correct the counters that differ." };
        var check = new Command("check", "Counts what accounts use and compares it with their counters, also while servers run; exit code 1 if one differs.") { repair };
        check.SetAction((parsed, cancellationToken) => UsageCommand.CheckAsync(
            CommandSettings.Load(), TimeProvider.System, output, parsed.GetValue(repair), parsed.GetValue(Json), cancellationToken));
        return new("usage", "What accounts use.") { check };
    }

    private static int Fail(TextWriter error, string message, Reason reason, int exitCode)
    {
        error.WriteLine($"cloudpeer: {message.ReplaceLineEndings(" ").Trim()} [{reason.ToKebab()}]");
        return exitCode;
    }
}
