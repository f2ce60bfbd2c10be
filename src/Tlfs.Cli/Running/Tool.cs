using System.CommandLine;
using System.CommandLine.Help;
using Tlfs.Cli.Commands;
using Tlfs.Core;

namespace Tlfs.Cli.Running;

/// <summary>Runs one command line: parses it, does the work, and maps every way to fail to an exit code and one line.</summary>
internal static class Tool
{
    // Work that was asked to stop gets this long to do so; then the process ends without it. Nothing acknowledged is lost.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Runs a command line and returns the exit code.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="streams">What to read and write.</param>
    /// <param name="time">The clock.</param>
    /// <param name="interrupted">Asks to stop; the exit code is then 130.</param>
    public static async Task<int> RunAsync(string[] args, Streams streams, TimeProvider time, CancellationToken interrupted)
    {
        // Reading standard input cannot be cancelled, so the work is left behind if it does not stop.
        var work = Task.Run(() => RunToEndAsync(args, streams, time, interrupted), CancellationToken.None);
        using var abandon = new CancellationTokenSource();
        await using var registration = interrupted.Register(() => abandon.CancelAfter(Grace));
        try
        {
            return await work.WaitAsync(abandon.Token);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    private static async Task<int> RunToEndAsync(string[] args, Streams streams, TimeProvider time, CancellationToken interrupted)
    {
        try
        {
            var exitCode = await DispatchAsync(args, streams, time, interrupted);
            await streams.Output.FlushAsync(CancellationToken.None);
            return exitCode;
        }
        catch (Exception exception)
        {
            await FlushAsync(streams.Output);
            if (interrupted.IsCancellationRequested) return ExitCode.Interrupted;
            if (streams.Variable("TLFS_DEBUG") is "1") await streams.Error.WriteLineAsync(exception.ToString());
            await streams.Error.WriteLineAsync(Failure.Of(exception).ToString());
            return ExitCode.Failed;
        }
    }

    private static async Task<int> DispatchAsync(string[] args, Streams streams, TimeProvider time, CancellationToken interrupted)
    {
        var parsed = Root(streams).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        if (parsed.Errors.Count > 0)
        {
            var sentence = $"{WhatIsWrong(parsed)}; see: tlfs {CommandName(parsed)}--help";
            await streams.Error.WriteLineAsync(new Failure(Reason.BadArgument, sentence).ToString());
            return ExitCode.WrongUsage;
        }

        // Help, version and completion answer by themselves; commands run here, where failures are mapped.
        var configuration = new InvocationConfiguration { Output = streams.Output, Error = streams.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        var answered = await parsed.InvokeAsync(configuration, interrupted);
        if (answered != ExitCode.Done || parsed.CommandResult.Command is not Verb verb || parsed.Action != verb.Action) return answered;
        await using var invocation = new Invocation(parsed, streams, time, interrupted);
        await verb.Run(invocation);
        return ExitCode.Done;
    }

    private static RootCommand Root(Streams streams)
    {
        var root = new RootCommand("Documents that belong to their users: edit offline, sync sealed.")
        {
            GlobalOptions.Home, GlobalOptions.Json, GlobalOptions.Quiet, GlobalOptions.Insecure,
        };
        foreach (var command in CommandList.All()) root.Add(command);
        // The library's own options: /h would be taken from somebody's path, and --version refuses to stand beside --json.
        foreach (var standard in root.Options.Where(option => option is HelpOption or VersionOption).ToList()) root.Options.Remove(standard);
        root.Options.Add(new HelpOption("--help", "-h", "-?") { Action = new HelpText(new HelpAction()) });
        root.Options.Add(new Option<bool>("--version") { Description = "Show the version.", Action = new VersionText(streams) });
        return root;
    }

    private static string WhatIsWrong(ParseResult parsed) => parsed switch
    {
        { UnmatchedTokens: [var word, ..] } => $"{word} is not understood here",
        _ => parsed.Errors[0].Message.TrimEnd('.'),
    };

    private static string CommandName(ParseResult parsed)
    {
        var words = new Stack<string>();
        for (var result = parsed.CommandResult; result?.Parent is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
            words.Push(result.Command.Name + " ");
        return string.Concat(words);
    }

    // Standard output may be the very thing that failed.
    private static async Task FlushAsync(TextWriter output)
    {
        try
        {
            await output.FlushAsync(CancellationToken.None);
        }
        catch (IOException)
        {
            // The failure that is being reported says so already.
        }
    }
}
