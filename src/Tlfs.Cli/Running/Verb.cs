using System.CommandLine;

namespace Tlfs.Cli.Running;

/// <summary>A command that does something, with examples for its help. Arguments and options are added as in a collection.</summary>
internal sealed class Verb : Command
{
    /// <summary>Makes a command.</summary>
    /// <param name="name">Its word.</param>
    /// <param name="description">What it does.</param>
    /// <param name="examples">Command lines to show below its help.</param>
    /// <param name="run">Does it; a failure is an exception.</param>
    public Verb(string name, string description, string[] examples, Func<Invocation, Task> run)
        : base(name, description)
    {
        Examples = examples;
        Run = run;
        SetAction((_, _) => Task.CompletedTask);
    }

    /// <summary>Command lines to show below the help.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>Does what the command is for.</summary>
    public Func<Invocation, Task> Run { get; }
}
