// node one-run.mjs '{ subject, … }': measures one subject once, prints its figures as JSON.
import { peakRssMb } from '../peers/process-usage.mjs';
import { measureArrival } from './arrivals.mjs';
import { measureCorrections } from './corrections.mjs';

const SUBJECTS = { arrival: measureArrival, corrections: measureCorrections };

const { subject, ...task } = JSON.parse(process.argv[2]);
const { figures, ...rest } = await SUBJECTS[subject](task);
const outcome = { figures: { ...figures, rssMb: peakRssMb(process.pid) }, ...rest };
process.stdout.write(`${JSON.stringify(outcome)}\n`);
